import "./ui/tokens.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { checkKey } from "./api/client";
import { App } from "./app/App";
import { arrive, takeInvitation } from "./app/session";
import { applySettings } from "./app/settings";

applySettings();
void arrive(checkKey);
// Another invitation's link in the same tab changes only what stands behind `#`, and loads nothing.
window.addEventListener("hashchange", takeInvitation);
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
