// Files of a form: several at once, dropped or chosen, listed, checked before they are sent, and sent with progress.
// Without this file the plain file input does the same by the browser's own means. Words come from the server.
"use strict";

(() => {
  const lang = document.documentElement.lang;
  const number = (value) => new Intl.NumberFormat(lang, { maximumFractionDigits: 1 }).format(value);
  const size = (bytes) => {
    const units = [["GB", 1024 ** 3], ["MB", 1024 ** 2], ["KB", 1024]];
    const [unit, bytesInUnit] = units.find(([, least]) => bytes >= least) || ["B", 1];
    return `${number(bytes / bytesInUnit)}\u00a0${unit}`;
  };
  const element = (name, className, text = "") => {
    const made = document.createElement(name);
    made.className = className;
    made.textContent = text;
    return made;
  };

  const begin = (box) => {
    if (box.dataset.uploadReady) return;
    box.dataset.uploadReady = "yes";
    const words = box.dataset;
    const input = box.querySelector("input[type=file]");
    const form = input.form;
    const drop = box.querySelector(".uploader__drop");
    const list = element("ul", "uploader__files");
    const problems = element("div", "uploader__problems");
    problems.setAttribute("role", "alert");
    drop.hidden = false;
    drop.after(problems, list);
    let chosen = [];

    const refusal = (file) => {
      const kind = file.name.includes(".") ? file.name.split(".").pop().toLowerCase() : "";
      if (!file.size) return words.empty;
      if (file.size > Number(words.largest)) return words.tooLarge;
      return words.kinds.split(" ").includes(kind) ? "" : words.notAccepted;
    };

    const show = () => {
      const held = new DataTransfer();
      for (const file of chosen) held.items.add(file);
      input.files = held.files;
      list.replaceChildren(...chosen.map((file) => {
        const item = element("li", "uploader__file");
        const remove = element("button", "uploader__remove", "×");
        remove.type = "button";
        remove.setAttribute("aria-label", words.remove.replace("{name}", file.name));
        remove.addEventListener("click", () => {
          const place = chosen.indexOf(file);
          chosen = chosen.filter((other) => other !== file);
          problems.replaceChildren();
          show();
          (list.children[Math.min(place, chosen.length - 1)]?.querySelector("button") || input).focus();
        });
        item.append(element("span", "uploader__name", file.name), element("span", "uploader__size", size(file.size)), remove);
        return item;
      }));
    };

    const take = (files) => {
      const said = [];
      for (const file of files) {
        const known = (other) => other.name === file.name && other.size === file.size && other.lastModified === file.lastModified;
        const why = refusal(file);
        if (why) said.push(why.replace("{name}", file.name));
        else if (!chosen.some(known)) chosen.push(file);
      }
      const most = Number(words.most);
      if (chosen.length > most) {
        said.push(words.tooMany);
        chosen = chosen.slice(0, most);
      }
      problems.replaceChildren(...said.map((text) => element("p", "", text)));
      show();
    };

    input.addEventListener("change", () => take([...input.files]));
    box.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      box.classList.add("uploader--over");
    });
    box.addEventListener("dragleave", (event) => {
      if (!box.contains(event.relatedTarget)) box.classList.remove("uploader--over");
    });
    box.addEventListener("drop", (event) => {
      event.preventDefault();
      box.classList.remove("uploader--over");
      take([...event.dataTransfer.files]);
    });

    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      if (form.dataset.sending) event.preventDefault();
      if (form.dataset.sending || !chosen.length) return;
      event.preventDefault();
      send(form, event.submitter, words, (page) => {
        // What was refused is shown again with what was typed; the files as well, which no server can fill in.
        window.filesToKeep = page.status >= 400 ? chosen : [];
        history.replaceState(null, "", page.responseURL);
        document.open();
        document.write(page.responseText);
        document.close();
      });
    });

    if (window.filesToKeep?.length && form.querySelector(".errors, .field--error, [role=alert]")) {
      const kept = window.filesToKeep;
      window.filesToKeep = [];
      take(kept);
    }
  };

  // The same form, sent by hand: the answer is the page to show, wherever the server led to.
  const send = (form, submitter, words, done) => {
    const request = new XMLHttpRequest();
    const panel = element("div", "uploader__send");
    const said = element("p", "");
    const bar = element("progress", "bar");
    const cancel = element("button", "button button--secondary button--small", words.cancel);
    bar.setAttribute("aria-label", words.uploadLabel);
    cancel.type = "button";
    panel.append(said, bar, cancel);
    const data = new FormData(form, submitter);
    const held = [...form.elements].filter((one) => one.type === "submit" && !one.disabled);

    const end = (text) => {
      delete form.dataset.sending;
      for (const button of held) button.disabled = false;
      panel.replaceChildren(said);
      said.textContent = text;
      said.setAttribute("role", "alert");
    };
    form.querySelector(".uploader__send")?.remove();
    form.dataset.sending = "yes";
    for (const button of held) button.disabled = true;
    form.append(panel);

    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.max = event.total;
      bar.value = event.loaded;
      said.textContent = words.sending.replace("{percent}", Math.floor((100 * event.loaded) / event.total));
    });
    request.upload.addEventListener("load", () => {
      // From here on the server decides: canceling would only hide what it did.
      cancel.remove();
      said.setAttribute("role", "status");
      said.textContent = words.waiting;
    });
    request.addEventListener("load", () => done(request));
    request.addEventListener("error", () => end(words.broken));
    request.addEventListener("abort", () => end(words.canceled));
    cancel.addEventListener("click", () => request.abort());
    // Not `form.action`: a field of that name would answer instead.
    request.open("POST", new URL(form.getAttribute("action") || "", location.href));
    request.send(data);
    cancel.focus();
  };

  for (const box of document.querySelectorAll("[data-upload]")) begin(box);
  // What a page puts in later, when it brings itself up to date.
  document.addEventListener("htmx:load", (event) => {
    for (const box of event.target.querySelectorAll("[data-upload]")) begin(box);
  });
})();
