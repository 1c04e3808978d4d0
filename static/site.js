// Enhancements only: every page works without this file.
//
// Words and formats come from the server, never from a script:
// - of the reader's language, on <html>: `lang` for Intl, `data-decimal` and `data-group` (the signs that people type),
//   `data-left`, `data-time-is-up`, `data-both` and `data-units` (the words of countdowns). Whole numbers are grouped by
//   `new Intl.NumberFormat(document.documentElement.lang).format(number)`, which also takes a BigInt; an amount's digits
//   go into what `payments.money.pattern` says of the currency ("${}", "{} US$").
// - of one widget, on its own element: `data-added="{name} added"` written by the template with {% translate %}, filled
//   here by `text.replace("{name}", name)`.
"use strict";

(() => {
  // Countdowns follow the server's clock, however wrong the visitor's is.
  const ahead = Date.parse(document.documentElement.dataset.now || "") - Date.now() || 0;
  const SIZES = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

  const page = document.documentElement;
  const units = JSON.parse(page.dataset.units || "{}");
  const plural = new Intl.PluralRules(page.lang);

  const count = (number, unit) => (units[unit][plural.select(number)] || units[unit].other).replace("{}", number);

  // The same words as the `until` filter in marketplace/templatetags/words.py.
  const left = (seconds) => {
    if (seconds <= 0) return page.dataset.timeIsUp;
    const first = seconds < 120 ? 3 : SIZES.findIndex(([, size]) => seconds >= size);
    const [unit, size] = SIZES[first];
    let words = count(Math.floor(seconds / size), unit);
    if (first < 2) {
      const [smaller, smallerSize] = SIZES[first + 1];
      const rest = Math.floor((seconds % size) / smallerSize);
      if (rest) words = page.dataset.both.replace("{larger}", words).replace("{smaller}", count(rest, smaller));
    }
    return page.dataset.left.replace("{time}", words);
  };

  const countdowns = document.querySelectorAll("time[data-countdown]");
  const bars = document.querySelectorAll("progress[data-end]");
  const tick = () => {
    const now = Date.now() + ahead;
    for (const time of countdowns) {
      const words = left(Math.floor((Date.parse(time.dateTime) - now) / 1000));
      if (time.textContent !== words) time.textContent = words;
    }
    for (const bar of bars) bar.value = Math.max(0, Number(bar.dataset.end) - now / 1000);
  };
  if (countdowns.length || bars.length) setInterval(tick, 1000);

  // A second click posts nothing. The server refuses it as well: this only saves a puzzled look.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // Not `form.method`: a field named "method" would answer instead.
    if (form.getAttribute("method") !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    // Disabled only after the browser has read the form, or the button's own name and value would be lost.
    setTimeout(() => {
      for (const button of form.elements) {
        if (button.type !== "submit" || button.disabled) continue;
        button.disabled = true;
        button.dataset.held = "yes";
      }
    });
  });

  // "Back" may show this page as it was left: give the buttons back.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("[data-held]")) {
      button.disabled = false;
      delete button.dataset.held;
    }
  });

  // A link to a field inside a closed panel opens the panel and goes to the field.
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let panel = target.closest("details"); panel; panel = panel.parentElement.closest("details")) panel.open = true;
    if (target.matches("input, textarea, select")) target.focus();
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("a[href^='#']")) setTimeout(reveal);
  });
  reveal();

  // The name menu closes on Escape and on a click elsewhere.
  const menu = document.querySelector("details.menu");
  if (menu) {
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  }
})();
