// The fields that are filled while typing: names, which select2 takes from what is chosen alone, and keys, which it
// loses between opening and its first answer or applies to the rows of an older text.
"use strict";

{
    const $ = django.jQuery;

    const labelOf = (select) => {
        const cell = select.closest("td");
        return document.querySelector(`label[for="${CSS.escape(select.id)}"]`)
            ?? cell?.closest("table").tHead?.rows[0]?.cells[cell.cellIndex];
    };

    const nameAll = () => {
        for (const select of document.querySelectorAll("select.admin-autocomplete.select2-hidden-accessible")) {
            const box = select.nextElementSibling.querySelector("[role=combobox]");
            const text = box.querySelector("[role=textbox]");
            const label = labelOf(select);
            // Already named, or without anything to name it by.
            if (!text || !label) continue;
            // The text is no field: the box around it is, called by its label and by what is chosen.
            text.removeAttribute("role");
            text.removeAttribute("aria-readonly");
            label.id ||= `${select.id}_label`;
            box.setAttribute("aria-labelledby", `${label.id} ${text.id}`);
        }
    };

    // After Django's script, which makes the boxes at the same moments.
    $(nameAll);
    document.addEventListener("formset:added", ({ target }) => {
        nameAll();
        // Who added a line goes on in it; from the link below it, the keyboard leads away.
        target.querySelector("input:not([type=hidden]), textarea, select:not(.select2-hidden-accessible), .select2-selection")?.focus();
    });
    $(document).on("select2:open", ({ target }) => {
        const field = document.querySelector(".select2-container--open .select2-search__field");
        if (!field) return;
        field.setAttribute("aria-label", labelOf(target)?.textContent.trim().replace(/:$/, "") ?? "");
        // The key that opened it is no new text: it would ask for all rows once more.
        $(field).off("keyup");
        // At once, not a moment later as select2 does: the next letters are on their way.
        field.focus();
    });

    // A letter or an arrow opens a field; the letter lands in the box that has the focus from then on.
    document.addEventListener("keydown", (event) => {
        const box = event.target.closest?.(".select2-container:not(.select2-container--open) .select2-selection--single");
        if (!box || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
        const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
        if (!isArrow && event.key.length > 1) return;
        if (isArrow) event.preventDefault();
        $(box.closest(".select2-container")).prev("select").select2("open");
    });

    // While an answer is awaited the rows below are those of an older text: none of them is meant.
    document.addEventListener("keydown", (event) => {
        if (!event.target.matches?.(".select2-search__field") || !(event.key === "Enter" || (event.key === " " && event.ctrlKey))) return;
        if (!document.querySelector(".select2-container--open .loading-results")) return;
        event.preventDefault();
        event.stopPropagation();
    }, { capture: true });
}
