// Names for the fields that are filled while typing: select2 leaves its box without one while nothing is chosen.
"use strict";

{
    const nameAll = () => {
        for (const select of document.querySelectorAll("select.admin-autocomplete")) {
            const box = select.nextElementSibling?.querySelector(".select2-selection__rendered");
            const label = document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
            const cell = select.closest("td");
            const head = cell && cell.closest("table")?.tHead?.rows[0]?.cells[cell.cellIndex];
            const name = (label ?? head)?.textContent.trim().replace(/:$/, "") || select.dataset.placeholder;
            box?.setAttribute("aria-label", name);
        }
    };
    // After the script that makes the boxes.
    window.addEventListener("load", nameAll);
    document.addEventListener("formset:added", () => setTimeout(nameAll));
}
