/* After a failed save, focus the first field with an error, or its choices, even where Django's script would focus the
   first field of the form. */

const focusFirst = () => {
    const field = document.querySelector('#content :is([aria-invalid="true"]:enabled, .conflict input:checked)');
    const box = field?.matches(".select2-hidden-accessible") && field.nextElementSibling.querySelector(".select2-selection");
    (box || field)?.focus();
};

// After Django's scripts: the boxes are created on document ready, and the other script runs when it is loaded.
django.jQuery(focusFirst);
document.getElementById("django-admin-form-add-constants")?.addEventListener("load", focusFirst);
