import { mountLauncher } from "./launcher.mjs";

mountLauncher(document.querySelector("[data-launch]"));
