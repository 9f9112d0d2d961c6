"""The endpoint: what planned promotions will sell and earn, told from an Outlook over HTTP."""
