// Sign-up guesses the time zone from the browser; the person sees it in the list and can choose another.
"use strict";

(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  for (const select of document.querySelectorAll("select[data-guess-zone]")) {
    if (select.value === "UTC" && [...select.options].some((option) => option.value === zone)) select.value = zone;
  }
})();
