// Lights every mention of the cluster that is pointed at or reached with the keyboard.
(() => {
  const light = (on) => (event) => {
    const one = event.target.closest("[data-cluster]");
    if (!one) return;
    const alike = `[data-cluster="${one.dataset.cluster}"]`;
    for (const other of one.closest(".document").querySelectorAll(alike)) other.classList.toggle("lit", on);
  };
  for (const root of document.querySelectorAll(".hmtl:not([data-ready])")) {
    root.dataset.ready = "";
    for (const name of ["mouseover", "focusin"]) root.addEventListener(name, light(true));
    for (const name of ["mouseout", "focusout"]) root.addEventListener(name, light(false));
  }
})();
