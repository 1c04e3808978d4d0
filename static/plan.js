// The plan builder in place: add, remove, move (by buttons or by dragging) and split milestones, with live totals.
// Without this file the same buttons ask the server to draw the rows again. What people read comes from the server.
"use strict";

(() => {
  const plan = document.querySelector("[data-plan]");
  if (!plan) return;

  const page = document.documentElement.dataset;
  const list = plan.querySelector("ol.planrows");
  const count = plan.querySelector("input[name$='-TOTAL_FORMS']");
  const prefix = count.name.slice(0, -"-TOTAL_FORMS".length);
  const most = Number(plan.dataset.planMost);
  const figures = JSON.parse(plan.dataset.planFigures);
  const dates = JSON.parse(plan.dataset.planDates);
  const select = plan.closest("form").querySelector("select[name='currency']");
  const add = plan.querySelector("button[value='add']");
  const said = plan.querySelector("[data-plan-said]");
  const totals = {};
  for (const total of plan.querySelectorAll("[data-plan-total]")) totals[total.dataset.planTotal] = total;

  const rows = () => [...list.children];
  const button = (row, verb) => row.querySelector(`button[value^='${verb}-']`);
  const field = (row, name) => row.querySelector(`[name$='-${name}']`);
  const currency = () => figures.currencies[select ? select.value : plan.dataset.planCurrency];

  // Minor units as a whole number, or null for what cannot be read. The server reads prices by its own rules.
  const minor = (text) => {
    const [, decimals] = currency();
    const typed = text.trim().replace(/^[^\d.,]+|[^\d.,]+$/g, "");
    const [before, part = "", ...more] = typed.split(page.decimal);
    const [first, ...groups] = before.split(/\s/.test(page.group) ? /\s/ : page.group);
    // "1.50" is no amount where the point stands between thousands.
    if (groups.length && (!first || first.length > 3 || groups.some((group) => group.length !== 3))) return null;
    const whole = first + groups.join("");
    if (more.length || !/^\d*$/.test(whole + part) || part.length > decimals) return null;
    return BigInt((whole || "0") + part.padEnd(decimals, "0"));
  };

  const digits = (amount, grouped) => {
    const [, decimals] = currency();
    const text = String(amount).padStart(decimals + 1, "0");
    const whole = text.slice(0, text.length - decimals);
    const shown = grouped ? new Intl.NumberFormat(document.documentElement.lang).format(BigInt(whole)) : whole;
    return shown + (decimals ? page.decimal + text.slice(-decimals) : "");
  };

  const share = (price, rate, step) => {
    const unit = 10000n * step;
    return ((2n * price * BigInt(rate) + unit) / (2n * unit)) * step;
  };

  const days = (row) => {
    const typed = field(row, "delivery_days").value.trim();
    return /^\d{1,4}$/.test(typed) ? Number(typed) : 0;
  };

  const inDays = (number) => {
    const units = JSON.parse(page.units).day;
    return (units[new Intl.PluralRules(document.documentElement.lang).select(number)] || units.other).replace("{}", number);
  };

  const onDate = (number) => {
    const date = new Date(Date.parse(page.now) + number * 86400000);
    return dates[date.getMonth()].replace("{day}", date.getDate()).replace("{year}", date.getFullYear());
  };

  const sum = () => {
    const all = rows();
    const typed = currency() ? all.map((row) => field(row, "price").value).filter((text) => text.trim()) : [];
    const prices = typed.map(minor);
    let shown = { price: "–", buyer: "–", seller: "–" };
    if (currency() && !prices.includes(null)) {
      const [pattern, , step] = currency();
      const show = (amounts) => pattern.replace("{}", digits(amounts.reduce((one, other) => one + other, 0n), true));
      shown = {
        price: show(prices),
        buyer: show(prices.map((price) => price + share(price, figures.buyerFee, BigInt(step)))),
        seller: show(prices.map((price) => price - share(price, figures.commission, 1n))),
      };
    }
    const length = all.reduce((time, row) => time + days(row), 0);
    shown.days = inDays(length);
    shown.last = onDate(length);
    for (const [name, text] of Object.entries(shown)) totals[name].textContent = text;
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
      for (const verb of ["up", "down", "split", "remove"]) button(row, verb).value = `${verb}-${index}`;
      button(row, "up").hidden = index === 0;
      button(row, "down").hidden = index === all.length - 1;
      button(row, "split").hidden = all.length >= most;
      button(row, "remove").hidden = all.length === 1;
      for (const number of row.querySelectorAll("[data-plan-number]")) number.textContent = index + 1;
    });
    count.value = all.length;
    add.disabled = all.length >= most;
    sum();
  };

  const blank = (row) => {
    const fresh = row.cloneNode(true);
    fresh.classList.remove("planrow--error", "planrow--moving");
    for (const error of fresh.querySelectorAll(".field__error, .errors")) error.remove();
    for (const wrong of fresh.querySelectorAll(".field--error")) wrong.classList.remove("field--error");
    for (const input of fresh.querySelectorAll("input, textarea, select")) {
      input.removeAttribute("aria-invalid");
      const described = (input.getAttribute("aria-describedby") || "").split(" ").filter((id) => !id.endsWith("_error"));
      if (described.join("")) input.setAttribute("aria-describedby", described.join(" "));
      else input.removeAttribute("aria-describedby");
      input.value = input.tagName === "SELECT" ? "1" : "";
    }
    return fresh;
  };

  const part = (title, number) => {
    const named = (text) => plan.dataset.planPart.replace("{title}", text).replace("{number}", number);
    return title ? named(title.slice(0, 120 - named("").length).trimEnd()) : "";
  };

  // The same halves as plan_rows.py: what is left over goes to the first, what cannot be read stays with it.
  const split = (row) => {
    if (rows().length >= most) return;
    const second = blank(row);
    const title = field(row, "title").value.trim();
    field(row, "title").value = part(title, 1);
    field(second, "title").value = part(title, 2);
    field(second, "revisions").value = field(row, "revisions").value;
    const typed = field(row, "price").value;
    const price = currency() && typed.trim() ? minor(typed) : null;
    if (price !== null) {
      const step = BigInt(currency()[2]);
      const half = (price / 2n / step) * step;
      field(row, "price").value = digits(price - half);
      field(second, "price").value = digits(half);
    }
    const time = days(row);
    if (time) {
      field(row, "delivery_days").value = time - Math.floor(time / 2);
      field(second, "delivery_days").value = Math.max(Math.floor(time / 2), 1);
    }
    row.after(second);
    renumber();
    field(second, "title").focus();
  };

  const tellPlace = (row) => {
    said.textContent = plan.dataset.planMoved.replace("{number}", rows().indexOf(row) + 1);
  };

  const change = {
    add: () => {
      list.append(blank(list.lastElementChild));
      renumber();
      field(list.lastElementChild, "title").focus();
    },
    remove: (row) => {
      const next = row.nextElementSibling || row.previousElementSibling;
      if (!next) return;
      row.remove();
      renumber();
      field(next, "title").focus();
    },
    up: (row) => move(row, row.previousElementSibling, "up", "down"),
    down: (row) => move(row.nextElementSibling, row, "down", "up"),
    split,
  };

  const move = (lower, upper, verb, opposite) => {
    if (!lower || !upper) return;
    const moved = verb === "up" ? lower : upper;
    list.insertBefore(lower, upper);
    renumber();
    const same = button(moved, verb);
    (same.hidden ? button(moved, opposite) : same).focus();
    tellPlace(moved);
  };

  plan.addEventListener("click", (event) => {
    const pressed = event.target.closest("button[name='plan-change']");
    if (!pressed) return;
    event.preventDefault();
    change[pressed.value.split("-")[0]](pressed.closest("[data-plan-row]"));
  });

  // Dragging by the grip, with mouse, pen or finger. The keyboard has the buttons.
  let moving = null;
  plan.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest("[data-plan-grip]");
    if (!grip || event.button) return;
    event.preventDefault();
    moving = grip.closest("[data-plan-row]");
    moving.classList.add("planrow--moving");
    grip.setPointerCapture(event.pointerId);
  });
  plan.addEventListener("pointermove", (event) => {
    if (!moving) return;
    for (const other of rows()) {
      if (other === moving) continue;
      const box = other.getBoundingClientRect();
      const middle = box.top + box.height / 2;
      const follows = moving.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
      // The others make way: the row that holds the pointer must not leave the page.
      if (follows && event.clientY > middle) moving.before(other);
      else if (!follows && event.clientY < middle) {
        moving.after(other);
        return;
      }
    }
  });
  const drop = () => {
    if (!moving) return;
    moving.classList.remove("planrow--moving");
    const moved = moving;
    moving = null;
    renumber();
    tellPlace(moved);
  };
  plan.addEventListener("pointerup", drop);
  plan.addEventListener("pointercancel", drop);

  for (const grip of plan.querySelectorAll("[data-plan-grip]")) grip.hidden = false;
  plan.addEventListener("input", sum);
  if (select) select.addEventListener("change", sum);
})();
