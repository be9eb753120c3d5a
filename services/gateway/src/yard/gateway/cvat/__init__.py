"""CVAT's JSON: models of requests and answers, and their translation from and to our messages; pure."""
