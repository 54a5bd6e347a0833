"""The pages: made on the server, readable without scripts, in English and Chinese."""
