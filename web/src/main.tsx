import "./ui/tokens.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { checkKey } from "./api/client";
import { App } from "./app/App";
import { arrive } from "./app/session";
import { applySettings } from "./app/settings";

applySettings();
void arrive(checkKey);
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
