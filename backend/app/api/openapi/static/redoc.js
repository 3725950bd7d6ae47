// Starts ReDoc; a file of its own, because the page's policy allows no script inside the page.
Redoc.init(
  '/openapi.json',
  { disableSearch: false, expandResponses: '200,201,202', hideDownloadButton: false },
  document.getElementById('reference'),
);
