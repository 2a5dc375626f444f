"""How it decides: pure decisions over one flat row each, handed `now` and uniforms; one source for both engines."""
