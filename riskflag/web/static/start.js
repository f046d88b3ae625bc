// Helps that a page can do without: every page works with this file missing.
import { initAll } from "./govuk-frontend-6.3.0.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();
