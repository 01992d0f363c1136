"""DocuSign: the account server, the eSignature REST API v2.1 and Connect."""
