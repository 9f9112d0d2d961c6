"""The lake on AWS: the only package that imports boto3, awswrangler or sagemaker.

`platform.open_platform` is its one door. Behind it: `connection` (region, credentials, clients, errors in
words), `filesystem` and `places` (S3), `catalog` (Glue), `lease` (one writer at a time), `warehouse` and
`results` (Athena), `cloud` (all of them together).
"""
