// The plan builder in place: add, remove and move milestones, with a live total. Without this file the same buttons
// ask the server to draw the rows again.
"use strict";

(() => {
  const plan = document.querySelector("[data-plan]");
  if (!plan) return;

  const list = plan.querySelector("ol");
  const count = plan.querySelector("input[name$='-TOTAL_FORMS']");
  const prefix = count.name.slice(0, -"-TOTAL_FORMS".length);
  const most = Number(plan.dataset.planMost);
  const currencies = JSON.parse(plan.dataset.planCurrencies);
  const select = plan.closest("form").querySelector("select[name='currency']");
  const total = plan.querySelector("[data-plan-total]");
  const add = plan.querySelector("button[value='add']");

  const rows = () => [...list.children];
  const button = (row, verb) => row.querySelector(`button[value^='${verb}-']`);

  // Minor units as a whole number, or null for what cannot be read yet. The server reads prices by its own rules.
  const minor = (text, decimals) => {
    const typed = text.trim().replace(/^[^\d.]+/, "").replace(/,(?=\d{3}(\D|$))/g, "");
    const match = /^(\d*)(?:\.(\d*))?$/.exec(typed);
    if (!match || (match[2] || "").length > decimals) return null;
    return BigInt((match[1] || "0") + (match[2] || "").padEnd(decimals, "0"));
  };

  const sum = () => {
    const [symbol, decimals] = currencies[select ? select.value : plan.dataset.planCurrency] || [];
    if (decimals === undefined) return "–";
    let all = 0n;
    for (const field of list.querySelectorAll("input[name$='-price']")) {
      const price = minor(field.value, decimals);
      if (price === null) return "–";
      all += price;
    }
    const digits = String(all).padStart(decimals + 1, "0");
    const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
    return symbol + whole + (decimals ? `.${digits.slice(-decimals)}` : "");
  };

  const renumber = () => {
    const all = rows();
    all.forEach((row, index) => {
      for (const element of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
        for (const name of ["name", "id", "for", "aria-describedby"]) {
          const value = element.getAttribute(name);
          if (value) element.setAttribute(name, value.replace(new RegExp(`\\b${prefix}-\\d+-`, "g"), `${prefix}-${index}-`));
        }
      }
      for (const verb of ["up", "down", "remove"]) button(row, verb).value = `${verb}-${index}`;
      button(row, "up").hidden = index === 0;
      button(row, "down").hidden = index === all.length - 1;
      button(row, "remove").hidden = all.length === 1;
      for (const number of row.querySelectorAll("[data-plan-number]")) number.textContent = index + 1;
    });
    count.value = all.length;
    add.disabled = all.length >= most;
    total.textContent = sum();
  };

  const blank = (row) => {
    const fresh = row.cloneNode(true);
    for (const error of fresh.querySelectorAll(".field__error, .errors")) error.remove();
    for (const field of fresh.querySelectorAll(".field--error")) field.classList.remove("field--error");
    for (const field of fresh.querySelectorAll("input, textarea, select")) {
      field.removeAttribute("aria-invalid");
      const described = (field.getAttribute("aria-describedby") || "").split(" ").filter((id) => !id.endsWith("_error"));
      if (described.join("")) field.setAttribute("aria-describedby", described.join(" "));
      else field.removeAttribute("aria-describedby");
      field.value = field.tagName === "SELECT" ? "1" : "";
    }
    return fresh;
  };

  const change = {
    add: () => {
      list.append(blank(list.lastElementChild));
      renumber();
      list.lastElementChild.querySelector("input").focus();
    },
    remove: (row) => {
      const next = row.nextElementSibling || row.previousElementSibling;
      if (!next) return;
      row.remove();
      renumber();
      next.querySelector("input").focus();
    },
    up: (row) => move(row, row.previousElementSibling, "up", "down"),
    down: (row) => move(row.nextElementSibling, row, "down", "up"),
  };

  const move = (lower, upper, verb, opposite) => {
    if (!lower || !upper) return;
    const moved = verb === "up" ? lower : upper;
    list.insertBefore(lower, upper);
    renumber();
    const same = button(moved, verb);
    (same.hidden ? button(moved, opposite) : same).focus();
  };

  plan.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[name='plan-change']");
    if (!pressed) return;
    event.preventDefault();
    change[pressed.value.split("-")[0]](pressed.closest("[data-plan-row]"));
  });
  plan.addEventListener("input", () => { total.textContent = sum(); });
  if (select) select.addEventListener("change", () => { total.textContent = sum(); });
})();
