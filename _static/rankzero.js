// Paper is white: a page that is read in the dark is printed in the light.
(() => {
  const root = document.documentElement;
  let before = "";
  window.addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
  });
  window.addEventListener("afterprint", () => {
    root.dataset.theme = before || root.dataset.theme;
  });
})();
