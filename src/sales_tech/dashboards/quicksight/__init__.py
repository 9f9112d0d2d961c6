"""QuickSight's rendering of the dashboards: one CloudFormation template, generated from their specifications."""
