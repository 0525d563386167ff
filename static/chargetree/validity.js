/* Entering a time selects the option that uses it. */
"use strict";

for (const [moment, choice] of [["starts_at", "begin"], ["expires_at", "end"]]) {
    const field = document.querySelector(`#action-form [name="${moment}"]`);
    field?.addEventListener("input", () => {
        const wanted = document.querySelector(`#action-form [name="${choice}"][value="${field.value ? "at" : "keep"}"]`);
        if (wanted) {
            wanted.checked = true;
        }
    });
}
