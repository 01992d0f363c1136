"""DocuSign, simulated at the wire: accounts, envelopes, people who sign, and Connect."""
