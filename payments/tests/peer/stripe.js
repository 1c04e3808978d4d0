// A stand-in for Stripe.js: a card form in the page, and the bank's question as a dialog.
(() => {
  "use strict";
  const peer = new URL(document.currentScript.src).origin;

  const ask = async (path, fields) => {
    const answer = await fetch(peer + path, { method: "POST", body: new URLSearchParams(fields) });
    return answer.json();
  };

  const field = (form, name, label, value) => {
    const row = document.createElement("label");
    const input = document.createElement("input");
    row.append(label + " ", input);
    Object.assign(input, { value, type: "text", autocomplete: "off" });
    input.dataset.stripe = name;
    form.append(row);
    return input;
  };

  const cardElement = () => {
    const inputs = {};
    const listeners = {};
    let form = null;
    return {
      mount(place) {
        const parent = typeof place === "string" ? document.querySelector(place) : place;
        form = document.createElement("div");
        inputs.number = field(form, "number", "Card number", "");
        inputs.expires = field(form, "expires", "Expires", "12/34");
        inputs.cvc = field(form, "cvc", "Security code", "123");
        form.addEventListener("input", () => {
          const complete = inputs.number.value.replace(/\s/g, "").length === 16;
          (listeners.change || []).forEach((listener) => listener({ complete, empty: false, error: undefined }));
        });
        parent.replaceChildren(form);
        setTimeout(() => (listeners.ready || []).forEach((listener) => listener({})));
      },
      on(event, listener) {
        (listeners[event] ||= []).push(listener);
        return this;
      },
      update() {},
      focus() { inputs.number.focus(); },
      unmount() { if (form) form.remove(); },
      destroy() { if (form) form.remove(); },
      entered() {
        const [month, year] = inputs.expires.value.split("/");
        return {
          "payment_method_data[type]": "card",
          "payment_method_data[card][number]": inputs.number.value,
          "payment_method_data[card][exp_month]": month,
          "payment_method_data[card][exp_year]": "20" + year,
          "payment_method_data[card][cvc]": inputs.cvc.value,
        };
      },
    };
  };

  // Resolves to whether the payer approved.
  const bankAsks = () => new Promise((resolve) => {
    const dialog = document.createElement("dialog");
    const question = document.createElement("p");
    question.textContent = "Your bank asks whether it is you who pays.";
    dialog.setAttribute("aria-label", "Your bank");
    dialog.append(question);
    [["Complete authentication", true], ["Fail authentication", false]].forEach(([text, approved]) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: text });
      button.addEventListener("click", () => { dialog.close(); dialog.remove(); resolve(approved); });
      dialog.append(button);
    });
    document.body.append(dialog);
    dialog.showModal();
  });

  window.Stripe = (key) => {
    const path = (secret) => "/v1/payment_intents/" + secret.split("_secret_")[0];
    const retrieve = (secret) =>
      fetch(peer + path(secret) + "?" + new URLSearchParams({ key, client_secret: secret })).then((a) => a.json());
    const result = (answer) => (answer.error ? { error: answer.error } : { paymentIntent: answer });

    const finish = async (secret, answer) => {
      if (answer.error || answer.status !== "requires_action") return result(answer);
      const approved = await bankAsks();
      const after = await ask(path(secret) + "/_authenticate", { key, client_secret: secret, success: approved });
      return after.last_payment_error ? { error: after.last_payment_error } : result(after);
    };

    return {
      elements: () => ({ create: () => cardElement() }),
      async confirmCardPayment(secret, data) {
        const intent = await retrieve(secret);
        if (intent.error || intent.status === "requires_action") return finish(secret, intent);
        const method = (data || {}).payment_method;
        const chosen = typeof method === "string" ? { payment_method: method } : method ? method.card.entered() : {};
        return finish(secret, await ask(path(secret) + "/confirm", { key, client_secret: secret, ...chosen }));
      },
      async handleNextAction({ clientSecret }) {
        return finish(clientSecret, await retrieve(clientSecret));
      },
      async retrievePaymentIntent(secret) {
        return result(await retrieve(secret));
      },
    };
  };
})();
