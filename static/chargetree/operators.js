'use strict';
// The theme setting, which Django's theme.js reads, and the copy button for new secrets.
{
    const themes = document.querySelector('.theme-choice');
    if (themes) {
        const chosen = localStorage.getItem('theme') || 'auto';
        for (const radio of themes.querySelectorAll('input')) {
            radio.checked = radio.value === chosen;
            radio.addEventListener('change', () => {
                localStorage.setItem('theme', radio.value);
                document.documentElement.dataset.theme = radio.value;
            });
        }
        themes.hidden = false;
    }
    // The page of a new secret answers a POST: loading it again must not send that once more.
    const shown = document.querySelector('[data-address]');
    if (shown) {
        history.replaceState(null, '', shown.dataset.address);
    }
    // The clipboard is available in secure contexts only.
    if (navigator.clipboard) {
        for (const button of document.querySelectorAll('[data-copy]')) {
            button.hidden = false;
            button.addEventListener('click', async () => {
                await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
                button.textContent = button.dataset.copied;
            });
        }
    }
}
