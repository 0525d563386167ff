/* The navigation on a phone: closed until it is asked for, whatever was chosen for wide windows, and after Django's
   script, which has that choice. */

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
        // Django's script would remember it.
        event.stopImmediatePropagation();
        main.classList.toggle("unfolded");
        tell();
    }, { capture: true });
    button.addEventListener("click", tell);
    phone.addEventListener("change", tell);
    tell();
}
