// A button that copies a text. Without this file the text can be selected and copied by hand.
for (const button of document.querySelectorAll("[data-copies]")) {
  const text = document.getElementById(button.dataset.copies);
  const says = document.querySelector("[data-copied]");
  if (!text || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.value);
      says.textContent = "Copied.";
    } catch {
      text.select();
      says.textContent = "The text is selected; copy it with your keyboard.";
    }
  });
}
