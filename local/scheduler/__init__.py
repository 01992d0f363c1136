"""Cloud Scheduler of the laptop cloud."""
