"""The only outside world: FCM now; e-mail later."""
