"""The Google Cloud adapters, beyond what their contracts say."""
