// Single keys of the back office, a convenience only: every page works without this file.
// The words are those of templates/admin/_keys.html. What has data-key="x" is pressed, or focused where one types, by the key x; the list of keys is made from the same.
"use strict";

(() => {
  const SWITCH = "back-office-keys";
  const root = document.documentElement;
  const keyed = [...document.querySelectorAll("[data-key]")];
  const list = document.querySelector("[data-keys]");
  const isOn = () => localStorage.getItem(SWITCH) !== "off";
  const pressed = "[type=checkbox], [type=radio], [type=file], [type=submit], [type=button]";
  const types = (element) => element.matches(`textarea, select, [contenteditable], input:not(${pressed})`);
  const words = (element) =>
    element.dataset.keySays || element.textContent.trim().replace(/\s*…$/, "") || element.getAttribute("aria-label");

  const show = () => {
    root.classList.toggle("has-keys", isOn());
    for (const element of keyed) {
      if (isOn()) element.setAttribute("aria-keyshortcuts", element.dataset.key);
      else element.removeAttribute("aria-keyshortcuts");
    }
    list.querySelector("[data-keys-switch]").textContent =
      isOn() ? list.dataset.switchOff : list.dataset.switchOn;
  };

  if (list) {
    for (const [key, says] of [...keyed.map((element) => [element.dataset.key, words(element)]), ["?", list.dataset.show]]) {
      const term = document.createElement("dt");
      const meaning = document.createElement("dd");
      term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
      meaning.textContent = says;
      list.querySelector("dl").append(term, meaning);
    }
    list.querySelector("[data-keys-switch]").addEventListener("click", () => {
      localStorage.setItem(SWITCH, isOn() ? "off" : "on");
      show();
    });
    list.hidden = false;
    show();
  }

  document.addEventListener("keydown", (event) => {
    const at = event.target;
    // Held down too long on one page, Enter would press the next page's button unread.
    if (event.key === "Enter" && event.repeat && at.matches("button, a")) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && at.matches("textarea")) {
      event.preventDefault();
      at.form.requestSubmit();
      return;
    }
    // Out of a text, to the keys again.
    if (event.key === "Escape" && types(at)) {
      at.blur();
      return;
    }
    if (!isOn() || event.repeat || event.ctrlKey || event.metaKey || event.altKey || types(at)) return;
    if (event.key === "?" && list) {
      event.preventDefault();
      list.open = !list.open;
      list.querySelector("summary").focus();
      return;
    }
    const wanted = keyed.find((element) => element.dataset.key === event.key);
    if (!wanted) return;
    event.preventDefault();
    if (types(wanted)) wanted.focus();
    else wanted.click();
  });
})();
