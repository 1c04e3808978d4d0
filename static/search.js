// Suggestions while a search is typed: an ARIA combobox over what the server finds. Without this file the form is a
// plain search, and Enter always is one until an arrow key has chosen a suggestion.
"use strict";

(() => {
  const WAIT = 150; // ms after the last letter
  const box = document.querySelector("[data-suggest]");
  if (!box) return;
  const field = box.querySelector("input");
  const list = box.querySelector("[role=listbox]");
  let timer;
  let asked = 0;
  let chosen = null;

  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");

  const choose = (option) => {
    chosen?.removeAttribute("aria-selected");
    chosen = option;
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    return field.setAttribute("aria-activedescendant", option.id);
  };

  const show = (open) => {
    choose(null);
    list.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
  };

  const ask = async () => {
    const mine = ++asked;
    const words = field.value.trim();
    if (words.length < 2) return show(false);
    try {
      const answer = await fetch(`${box.dataset.suggest}?q=${encodeURIComponent(words)}`);
      const options = answer.ok ? await answer.text() : "";
      if (mine !== asked) return undefined; // another letter was typed meanwhile
      list.innerHTML = options;
      return show(list.children.length > 0 && document.activeElement === field);
    } catch {
      return show(false); // The network is away: searching needs no suggestions.
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });

  field.addEventListener("keydown", (event) => {
    const options = [...list.children];
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      show(false);
    } else if (event.key === "Enter" && chosen && !list.hidden) {
      event.preventDefault();
      location.assign(chosen.dataset.href);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
      event.preventDefault();
      if (list.hidden) show(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      // One place more than there are options: that of the field itself.
      const places = options.length + 1;
      choose(options[(options.indexOf(chosen) + 1 + step + places) % places - 1] || null);
    }
  });

  list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.href);
  });
  field.addEventListener("blur", () => show(false));
  field.form.addEventListener("submit", () => clearTimeout(timer));
})();
