"use strict";
// A press on a model's picture shows the truth in its place; the next one brings it back. Without this script nothing is missing but that.
document.documentElement.classList.add("blinks");
for (const group of document.querySelectorAll(".panels")) {
  for (const kind of ["plane", "part"]) {
    const truth = group.querySelector(`.truth .${kind} img`);
    for (const image of group.querySelectorAll(`.panel:not(.truth) .${kind} img`)) {
      const own = image.src;
      const blink = () => {
        const shown = image.classList.toggle("truth-shown");
        image.src = shown ? truth.src : own;
      };
      image.tabIndex = 0;
      image.addEventListener("click", blink);
      image.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          blink();
        }
      });
    }
  }
}
