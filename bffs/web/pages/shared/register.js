// Registers the service worker, which serves the pages when there is no network.
import { ROOT } from "./config.js";

if ("serviceWorker" in navigator) {
  const register = () => navigator.serviceWorker.register(`${ROOT}/sw.js`, { scope: `${ROOT}/` }).catch(() => {});
  // After the page, so that it takes no time from the first screen.
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
