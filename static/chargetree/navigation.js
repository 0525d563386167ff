/* The navigation on a phone: closed until opened, whatever the setting for wide windows. Runs after Django's script,
   which applies that setting. */

const main = document.getElementById("main");
const button = document.getElementById("toggle-nav-sidebar");
const phone = matchMedia("(max-width: 767px)");

if (button) {
    const tell = () => {
        button.ariaExpanded = String(main.classList.contains(phone.matches ? "unfolded" : "shifted"));
    };
    button.setAttribute("aria-controls", "nav-sidebar");
    button.addEventListener("click", (event) => {
        if (!phone.matches) return;
        // Otherwise Django's script would store it.
        event.stopImmediatePropagation();
        main.classList.toggle("unfolded");
        tell();
    }, { capture: true });
    button.addEventListener("click", tell);
    phone.addEventListener("change", tell);
    tell();
}
