/* After a save that failed the first field in error has the focus, or what to choose for it, also where Django's script
   would take the first field of the form. */

const focusFirst = () => {
    const field = document.querySelector('#content :is([aria-invalid="true"]:enabled, .conflict input:checked)');
    const box = field?.matches(".select2-hidden-accessible") && field.nextElementSibling.querySelector(".select2-selection");
    (box || field)?.focus();
};

// After Django's scripts: the boxes are made when the document is ready, and the other one runs when it arrives.
django.jQuery(focusFirst);
document.getElementById("django-admin-form-add-constants")?.addEventListener("load", focusFirst);
