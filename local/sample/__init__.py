"""The sample company: three mailboxes, contacts and calendars, written as stories that people can edit."""
