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
  // Countdowns follow the server's clock, however wrong the visitor's is. A page that asks the server again tells the
  // new instant by the event `servernow`; after a sleep, or when somebody sets the clock, it is told so by `wokeup`.
  let ahead = Date.parse(document.documentElement.dataset.now || "") - Date.now() || 0;
  document.addEventListener("servernow", (event) => {
    ahead = Date.parse(event.detail) - Date.now() || 0;
    tick();
  });
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

  // Looked for at every tick, because parts of a page may be replaced. Nothing here is a live region: screen readers
  // say the time when they are asked for it, and bars move by visible steps only, because some readers beep at each.
  let last = Date.now();
  const tick = () => {
    const now = Date.now() + ahead;
    if (Math.abs(Date.now() - last) > 5000) document.dispatchEvent(new Event("wokeup"));
    last = Date.now();
    for (const time of document.querySelectorAll("time[data-countdown]")) {
      const rest = Math.floor((Date.parse(time.dateTime) - now) / 1000);
      const words = left(rest);
      if (time.textContent === words) continue;
      time.textContent = words;
      if (rest <= 0) document.dispatchEvent(new Event("timeisup"));
    }
    for (const bar of document.querySelectorAll("progress[data-end]")) {
      const rest = Math.max(0, Number(bar.dataset.end) - now / 1000);
      if (!rest || Math.abs(bar.value - rest) > bar.max / 500) bar.value = rest;
    }
  };
  if (document.querySelector("time[data-countdown], progress[data-end], #live")) setInterval(tick, 1000);

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
