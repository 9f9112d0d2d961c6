"""The lake on AWS: the only package that imports boto3, awswrangler or sagemaker."""
