// Swagger UI for the API schema. Requests from a signed-in admin session send the CSRF token.
"use strict";

const page = document.getElementById("swagger-ui");

SwaggerUIBundle({
  url: page.dataset.schema,
  domNode: page,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  // The validator badge would call an external server.
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (new URL(request.url, location.href).origin === location.origin) {
      request.headers["X-CSRFToken"] = page.dataset.token;
    }
    return request;
  },
});
