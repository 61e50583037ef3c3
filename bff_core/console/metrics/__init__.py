"""What the processes of gateways have counted, for the overview and the page of services."""
