"""The script of the AWS Glue job; all it does is in the wheel that the job installs."""

import sys

from sales_tech.orchestration.glue import main

# No sys.exit: Glue takes it for a failure, whatever its code.
main(sys.argv[1:])
