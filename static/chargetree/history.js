// The form of the change log: entering a date selects the date range, and empty fields stay out of the URL.
"use strict";

document.querySelectorAll("form.narrowing").forEach((form) => {
    const span = form.elements.span;
    for (const date of [form.elements.since, form.elements.until]) {
        date.addEventListener("change", () => {
            span.value = "chosen";
        });
    }
    // Keep empty fields out of the URL.
    form.addEventListener("submit", () => {
        for (const field of form.elements) {
            field.disabled = field.name !== "" && field.value === "";
        }
    });
    window.addEventListener("pageshow", () => {
        for (const field of form.elements) {
            field.disabled = false;
        }
    });
});
