"""All functions under the real functions-framework, in one process or one process each."""
