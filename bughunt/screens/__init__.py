"""What each command says, as views and as JSON documents. Nothing here decides or prints anything."""
