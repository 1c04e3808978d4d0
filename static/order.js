// The page of an order keeps itself up to date by htmx (see orders/_live.html). This file adds manners: it does not ask
// while nobody looks, never replaces what somebody is typing, and tells the server's time to the countdowns.
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const ask = () => byId("live")?.hasAttribute("data-hx-get") && htmx.trigger("#live", "ask");
  const title = document.title;
  const PATIENCE = 8; // of the questions of a page that nobody sees, one in so many is asked
  let unasked = 0;
  let over = false; // the session has ended, or the order is not ours any more
  let showing = false; // somebody asked for the page as it is now
  let open = [];
  let typed = [];

  const fields = (form) => [...form.elements].filter((field) => field.name && field.type !== "hidden");
  const isChanged = (field) => {
    if (field.type === "file") return field.files.length > 0;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    return "defaultValue" in field && field.value !== field.defaultValue;
  };
  const isBusy = (part) => {
    const here = document.activeElement;
    if (part.contains(here) && here.matches("textarea, select, input:not([type=hidden])")) return true;
    return [...part.querySelectorAll("form")].some((form) => form.dataset.sent || fields(form).some(isChanged));
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    const from = event.detail.elt;
    showing = from.id === "show";
    if (from.id !== "live") return;
    const waits = document.hidden && (unasked = (unasked + 1) % PATIENCE) !== 0;
    if (over || waits) event.preventDefault();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr } = event.detail;
    const now = xhr?.getResponseHeader("X-Now");
    if (now) document.dispatchEvent(new CustomEvent("servernow", { detail: now }));
    if (xhr?.status === 403 || xhr?.status === 404) {
      over = true;
      byId("gone").hidden = false;
    }
  });

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const part = event.detail.target;
    if (!showing && isBusy(part)) {
      event.detail.shouldSwap = false;
      byId("held").hidden = false;
      return;
    }
    open.push(...[...part.querySelectorAll("details[open][id]")].map((panel) => panel.id));
    for (const form of part.querySelectorAll("form[action]")) {
      const kept = fields(form).filter((field) => field.type !== "file" && isChanged(field));
      for (const field of kept) typed.push([form.getAttribute("action"), field.name, field.value]);
    }
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt.id !== "live") return;
    for (const id of open) if (byId(id)) byId(id).open = true;
    for (const [action, name, value] of typed) {
      const form = [...document.forms].find((one) => one.getAttribute("action") === action);
      if (form?.elements[name]) form.elements[name].value = value;
    }
    open = [];
    typed = [];
    if (showing) byId("held").hidden = true;
    showing = false;
    if (document.hidden) document.title = `• ${title}`;
    look();
    watch();
  });

  // News are read out and then go away; they stand in the activity.
  let going;
  const news = byId("news");
  if (news) {
    new MutationObserver(() => {
      clearTimeout(going);
      if (news.textContent.trim()) going = setTimeout(() => news.replaceChildren(), 20_000);
    }).observe(news, { childList: true });
  }

  // Messages count as read when they come into view of somebody who looks.
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting && !document.hidden) htmx.trigger(entry.target, "seen");
  });
  const look = () => {
    seen.disconnect();
    for (const form of document.querySelectorAll("form[data-until-seen]")) seen.observe(form);
  };

  // The bar at the foot of a phone leads to what is next, while that is out of sight.
  const passing = new IntersectionObserver(([entry]) => byId("nextbar")?.classList.toggle("is-near", entry.isIntersecting));
  const watch = () => {
    passing.disconnect();
    if (byId("step") && byId("nextbar")) passing.observe(byId("step"));
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    unasked = 0;
    document.title = title;
    ask();
    look();
  });
  window.addEventListener("focus", ask);
  window.addEventListener("online", ask);
  document.addEventListener("wokeup", ask);
  // A moment later: by then the server agrees that it is over.
  document.addEventListener("timeisup", () => setTimeout(ask, 1500));
  look();
  watch();
})();
