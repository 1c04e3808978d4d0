// Finishes a payment with the provider's script: takes a new card, or brings up the bank's question.
// What came of it is asked of the provider by our server when the form is sent; nothing here decides.
"use strict";

(() => {
  const form = document.querySelector("[data-finish]");
  const button = form.querySelector("[data-go]");
  const problem = form.querySelector("[data-problem]");
  const busy = form.querySelector("[data-busy]");
  const secret = form.dataset.secret;

  const say = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
    busy.hidden = true;
    button.disabled = false;
  };

  if (typeof Stripe === "undefined") {
    say(form.dataset.notLoaded);
    button.disabled = true;
    return;
  }

  const stripe = Stripe(form.dataset.publishableKey);
  const newCard = form.dataset.newCard === "yes";
  let card = null;
  if (newCard) {
    card = stripe.elements({ locale: document.documentElement.lang }).create("card");
    card.mount(form.querySelector("[data-card]"));
    card.on("change", (event) => say(event.error ? event.error.message : ""));
  }
  button.disabled = false;

  const over = (intent) => ["succeeded", "processing", "canceled"].includes(intent.status);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    say("");
    button.disabled = true;
    busy.hidden = false;
    try {
      const answer = await stripe.confirmCardPayment(secret, card ? { payment_method: { card } } : undefined);
      if (answer.error && newCard) {
        const now = await stripe.retrievePaymentIntent(secret);
        if (!now.paymentIntent || !over(now.paymentIntent)) {
          say(answer.error.message || form.dataset.notPaid);
          return;
        }
      }
      form.submit();
    } catch {
      say(form.dataset.notReached);
    }
  });

  // Paid in another tab, or a moment ago: nothing is left to do here.
  stripe.retrievePaymentIntent(secret).then((now) => {
    if (now.paymentIntent && over(now.paymentIntent)) form.submit();
  }, () => undefined);
})();
