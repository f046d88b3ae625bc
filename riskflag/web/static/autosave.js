// Keeps a draft while a person types. Without this file the buttons of the form keep it.
// Nothing is kept in the browser: a shared computer must not remember a child.
const WAIT = 3000;
const form = document.querySelector("form[data-autosave]");
const says = document.querySelector("[data-saved]");

if (form && says) {
  let timer = 0;
  let changed = false;

  const send = async () => {
    changed = false;
    try {
      const answer = await fetch(form.dataset.autosave, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "application/json" },
        redirect: "error",
        credentials: "same-origin",
      });
      const told = answer.ok ? await answer.json() : { saved: false };
      says.textContent = told.saved
        ? `Draft kept on ${told.at}.`
        : "The draft could not be kept just now. What you wrote is still on this page.";
    } catch {
      says.textContent =
        "The draft could not be kept: you may have been signed out. Use a button below; nothing will be lost.";
    }
  };

  form.addEventListener("input", () => {
    changed = true;
    window.clearTimeout(timer);
    timer = window.setTimeout(send, WAIT);
  });
  form.addEventListener("submit", () => window.clearTimeout(timer));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden" && changed) {
      window.clearTimeout(timer);
      send();
    }
  });
}
