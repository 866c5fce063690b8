// Sets light or dark before anything is drawn. A plain script, because a module would run too late.
(() => {
  const key = "picklebot.theme";
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = "auto";
  try {
    chosen = localStorage.getItem(key) || "auto";
  } catch {
    // Without storage the choice lasts as long as the page.
  }

  const show = () => {
    root.dataset.theme = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
  };
  const choose = (theme) => {
    chosen = theme;
    try {
      localStorage.setItem(key, theme);
    } catch {
      // As above.
    }
    show();
  };
  dark.addEventListener("change", show);
  show();
  globalThis.picklebotTheme = { get: () => chosen, set: choose };
})();
