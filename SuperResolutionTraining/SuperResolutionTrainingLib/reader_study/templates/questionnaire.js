"use strict";
const study = document.body.dataset.study, reader = document.body.dataset.reader;
const place = `reader-study ${study} ${reader}`;
const inputs = [...document.querySelectorAll("input[type=radio]")];
const asked = new Set(inputs.map(input => input.name)).size;

function answers() {
  return inputs.filter(input => input.checked).map(input => ({
    comparison: input.closest("section").dataset.comparison,
    question: input.dataset.question,
    value: input.value,
  }));
}

function tell() {
  document.getElementById("state").textContent = `${answers().length} of ${asked} questions answered`;
}

function keep() {
  // Some browsers keep nothing for a local file; saving still works.
  try { localStorage.setItem(place, JSON.stringify(answers())); } catch (error) { console.info("not kept:", error.message); }
  tell();
}

function takeUp() {
  let kept = [];
  try { kept = JSON.parse(localStorage.getItem(place)) || []; } catch (error) { console.info("nothing kept:", error.message); }
  const ticked = new Set(kept.map(each => `${each.comparison}|${each.question}=${each.value}`));
  for (const input of inputs) if (ticked.has(`${input.name}=${input.value}`)) input.checked = true;
}

function save() {
  const text = JSON.stringify({ format: 1, study, reader, answers: answers() }, null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = `${reader}-${study}.json`;
  link.click();
}

const magnified = document.getElementById("magnified");
document.addEventListener("click", event => {
  if (magnified.open) magnified.close();
  else if (event.target.matches(".pictures img")) {
    magnified.firstElementChild.src = event.target.src;
    magnified.firstElementChild.style.cssText = event.target.style.cssText;
    magnified.showModal();
  }
});
document.addEventListener("change", keep);
document.getElementById("save").addEventListener("click", save);
takeUp();
tell();
