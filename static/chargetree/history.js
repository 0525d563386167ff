// The log's form: who types a date means dates, and what is empty stays out of the address.
"use strict";

document.querySelectorAll("form.narrowing").forEach((form) => {
    const span = form.elements.span;
    for (const date of [form.elements.since, form.elements.until]) {
        date.addEventListener("change", () => {
            span.value = "chosen";
        });
    }
    // What is empty need not stand in the address.
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
