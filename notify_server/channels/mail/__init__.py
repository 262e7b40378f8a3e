"""The mail services: SMTP and SendGrid. No other module speaks to either."""
