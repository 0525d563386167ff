// Autocomplete fields: accessible names, which select2 takes from the selection alone, and keystrokes, which it loses
// between opening and the first response or applies to outdated results.
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
            // Already labelled, or there is no label.
            if (!text || !label) continue;
            // The box around the text is the field: label it with the label and the selection.
            text.removeAttribute("role");
            text.removeAttribute("aria-readonly");
            label.id ||= `${select.id}_label`;
            box.setAttribute("aria-labelledby", `${label.id} ${text.id}`);
        }
    };

    // After Django's script, which creates the boxes on the same events.
    $(nameAll);
    document.addEventListener("formset:added", ({ target }) => {
        nameAll();
        // Focus the added row: the link below it leads out of the form.
        target.querySelector("input:not([type=hidden]), textarea, select:not(.select2-hidden-accessible), .select2-selection")?.focus();
    });
    $(document).on("select2:open", ({ target }) => {
        const field = document.querySelector(".select2-container--open .select2-search__field");
        if (!field) return;
        field.setAttribute("aria-label", labelOf(target)?.textContent.trim().replace(/:$/, "") ?? "");
        // The key that opened the field is not new input: it would request all rows again.
        $(field).off("keyup");
        // Immediately, not delayed as in select2: more keystrokes follow.
        field.focus();
    });

    // A letter or an arrow key opens a field; the letter goes to the search box that then has the focus.
    document.addEventListener("keydown", (event) => {
        const box = event.target.closest?.(".select2-container:not(.select2-container--open) .select2-selection--single");
        if (!box || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
        const isArrow = event.key === "ArrowDown" || event.key === "ArrowUp";
        if (!isArrow && event.key.length > 1) return;
        if (isArrow) event.preventDefault();
        $(box.closest(".select2-container")).prev("select").select2("open");
    });

    // While a response is pending, the results shown are outdated: none can be selected.
    document.addEventListener("keydown", (event) => {
        if (!event.target.matches?.(".select2-search__field") || !(event.key === "Enter" || (event.key === " " && event.ctrlKey))) return;
        if (!document.querySelector(".select2-container--open .loading-results")) return;
        event.preventDefault();
        event.stopPropagation();
    }, { capture: true });
}
