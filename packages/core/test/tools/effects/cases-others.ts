/** Command lines of the other tools with their effect and verb; `read*` is the script's own dry run. */

export const AWS_CASES = String.raw`
read ec2 describe-instances | aws ec2 describe-instances
read ec2 describe-instances | aws ec2 describe-instances --region eu-west-1 --query 'Reservations[].Instances[].InstanceId' --output text
read ec2 describe-instances | aws --region eu-west-1 --output json ec2 describe-instances --filters Name=tag:a,Values=b
read ec2 describe-instances | aws ec2 --region=eu-west-1 describe-instances --instance-ids i-1 i-2
read ec2 wait | aws ec2 wait instance-running --instance-ids i-1
mutate ec2 terminate-instances | aws ec2 terminate-instances --instance-ids i-1
read* ec2 terminate-instances | aws ec2 terminate-instances --instance-ids i-1 --dry-run
mutate ec2 terminate-instances | aws ec2 terminate-instances --instance-ids i-1 --dry-run --no-dry-run
mutate ec2 terminate-instances | aws ec2 terminate-instances --dry-run --cli-input-json '{"DryRun":false}'
mutate ec2 run-instances | aws ec2 run-instances --image-id ami-1 --user-data file://boot.sh
mutate ec2 stop-instances | aws ec2 stop-instances --instance-ids i-1
mutate ec2 create-tags | aws ec2 create-tags --resources i-1 --tags Key=a,Value=b
mutate ec2 modify-instance-attribute | aws ec2 modify-instance-attribute --instance-id i-1 --no-source-dest-check
reveal ec2 get-password-data | aws ec2 get-password-data --instance-id i-1
reveal ec2 create-key-pair | aws ec2 create-key-pair --key-name a
read ec2 get-console-output | aws ec2 get-console-output --instance-id i-1
read s3 ls | aws s3 ls
read s3 ls | aws s3 ls s3://b/p --recursive --human-readable
read s3 cp | aws s3 cp s3://b/k out.bin
read s3 cp | aws s3 cp s3://b/k -
mutate s3 cp | aws s3 cp in.bin s3://b/k
mutate s3 cp | aws s3 cp - s3://b/k
mutate s3 cp | aws s3 cp s3://a/k s3://b/k
read* s3 cp | aws s3 cp in.bin s3://b/k --dryrun
read s3 sync | aws s3 sync s3://b/p out --exclude '*.tmp'
mutate s3 sync | aws s3 sync out s3://b/p --delete
mutate s3 rm | aws s3 rm s3://b/k --recursive
mutate s3 mv | aws s3 mv s3://b/k out
mutate s3 mb | aws s3 mb s3://b
mutate s3 rb | aws s3 rb s3://b --force
reveal s3 presign | aws s3 presign s3://b/k
read s3api list-objects-v2 | aws s3api list-objects-v2 --bucket b
read s3api head-object | aws s3api head-object --bucket b --key k
read s3api get-object | aws s3api get-object --bucket b --key k out.bin
mutate s3api put-object | aws s3api put-object --bucket b --key k --body in.bin
mutate s3api delete-object | aws s3api delete-object --bucket b --key k
reveal s3api create-session | aws s3api create-session --bucket b
read logs filter-log-events | aws logs filter-log-events --log-group-name a
read logs start-query | aws logs start-query --log-group-name a --query-string x --start-time 0 --end-time 1
read logs stop-query | aws logs stop-query --query-id a
read logs get-query-results | aws logs get-query-results --query-id a
read logs test-transformer | aws logs test-transformer --transformer-config a --log-event-messages b
read logs describe-queries | aws logs describe-queries
read logs filter-log-events | aws logs filter-log-events --log-group-name=/aws/a --max-items=5 --starting-token=x --cli-read-timeout=20 --output=json
read logs tail | aws logs tail /aws/lambda/a --since 1h
mutate logs put-retention-policy | aws logs put-retention-policy --log-group-name a --retention-in-days 1
read cloudwatch get-metric-statistics | aws cloudwatch get-metric-statistics --namespace a --metric-name b
mutate cloudwatch put-metric-alarm | aws cloudwatch put-metric-alarm --alarm-name a
read rds describe-db-instances | aws rds describe-db-instances
mutate rds reboot-db-instance | aws rds reboot-db-instance --db-instance-identifier a
reveal rds generate-db-auth-token | aws rds generate-db-auth-token --hostname a --port 1 --username b
read rds download-db-log-file-portion | aws rds download-db-log-file-portion --db-instance-identifier a --log-file-name b
read eks describe-cluster | aws eks describe-cluster --name a
reveal eks get-token | aws eks get-token --cluster-name a
refuse eks update-kubeconfig | aws eks update-kubeconfig --name a
read ecs list-tasks | aws ecs list-tasks --cluster a
mutate ecs update-service | aws ecs update-service --cluster a --service b --force-new-deployment
refuse ecs execute-command | aws ecs execute-command --cluster a --task b --command sh --interactive
read ecr describe-images | aws ecr describe-images --repository-name a
reveal ecr get-login-password | aws ecr get-login-password
reveal ecr get-authorization-token | aws ecr get-authorization-token
read secretsmanager list-secrets | aws secretsmanager list-secrets
read secretsmanager describe-secret | aws secretsmanager describe-secret --secret-id a
reveal secretsmanager get-secret-value | aws secretsmanager get-secret-value --secret-id a
reveal secretsmanager batch-get-secret-value | aws secretsmanager batch-get-secret-value --secret-id-list a
mutate secretsmanager put-secret-value | aws secretsmanager put-secret-value --secret-id a --secret-string b
read ssm get-parameter | aws ssm get-parameter --name a
read ssm get-parameters-by-path | aws ssm get-parameters-by-path --path /a
reveal ssm get-parameter | aws ssm get-parameter --name a --with-decryption
reveal ssm get-parameters | aws ssm get-parameters --names a b --with-decryption
reveal ssm get-parameters-by-path | aws ssm get-parameters-by-path --path /a --with-decryption
mutate ssm put-parameter | aws ssm put-parameter --name a --value b
mutate ssm send-command | aws ssm send-command --document-name a
refuse ssm start-session | aws ssm start-session --target i-1
read sts get-caller-identity | aws sts get-caller-identity
reveal sts assume-role | aws sts assume-role --role-arn a --role-session-name b
reveal sts get-session-token | aws sts get-session-token
reveal sts get-federation-token | aws sts get-federation-token --name a
read iam list-users | aws iam list-users
read iam list-access-keys | aws iam list-access-keys
read iam get-account-password-policy | aws iam get-account-password-policy
read iam simulate-principal-policy | aws iam simulate-principal-policy --policy-source-arn a --action-names b
reveal iam create-access-key | aws iam create-access-key
mutate iam attach-role-policy | aws iam attach-role-policy --role-name a --policy-arn b
read lambda list-functions | aws lambda list-functions
mutate lambda invoke | aws lambda invoke --function-name a out.json
mutate lambda update-function-code | aws lambda update-function-code --function-name a --zip-file fileb://a.zip
read dynamodb query | aws dynamodb query --table-name a --key-condition-expression b
read dynamodb scan | aws dynamodb scan --table-name a
mutate dynamodb execute-statement | aws dynamodb execute-statement --statement 'select * from a'
mutate dynamodb delete-item | aws dynamodb delete-item --table-name a --key file://k.json
reveal kms decrypt | aws kms decrypt --ciphertext-blob fileb://a.bin
read kms list-keys | aws kms list-keys
mutate kms schedule-key-deletion | aws kms schedule-key-deletion --key-id a
read cloudformation describe-stacks | aws cloudformation describe-stacks
read cloudformation validate-template | aws cloudformation validate-template --template-body file://t.yaml
refuse cloudformation deploy | aws cloudformation deploy --template-file t.yaml --stack-name a
mutate cloudformation delete-stack | aws cloudformation delete-stack --stack-name a
read autoscaling describe-auto-scaling-groups | aws autoscaling describe-auto-scaling-groups
mutate autoscaling set-desired-capacity | aws autoscaling set-desired-capacity --auto-scaling-group-name a --desired-capacity 1
read elbv2 describe-target-health | aws elbv2 describe-target-health --target-group-arn a
mutate elbv2 deregister-targets | aws elbv2 deregister-targets --target-group-arn a --targets Id=i-1
mutate sqs receive-message | aws sqs receive-message --queue-url https://sqs.eu-west-1.amazonaws.com/1/a
mutate sqs purge-queue | aws sqs purge-queue --queue-url https://sqs.eu-west-1.amazonaws.com/1/a
read sqs get-queue-attributes | aws sqs get-queue-attributes --queue-url https://sqs.eu-west-1.amazonaws.com/1/a
mutate ses verify-email-identity | aws ses verify-email-identity --email-address a
mutate stepfunctions test-state | aws stepfunctions test-state --definition a --role-arn b
refuse configure get | aws configure get aws_secret_access_key
refuse configure export-credentials | aws configure export-credentials
refuse configure | aws configure
refuse sso login | aws sso login
refuse codeartifact login | aws codeartifact login --tool pip
reveal codeartifact get-authorization-token | aws codeartifact get-authorization-token --domain a
refuse evil | aws evil
refuse evil run | aws evil run
read help | aws help
read help | aws ec2 help
read | aws --version
`

export const PSQL_CASES = String.raw`
mutate sql | psql -c 'select 1'
mutate sql | psql -X -A -t -c 'select 1'
mutate sql | psql -d app -c 'select 1'
mutate sql | psql app -c 'select 1'
mutate sql | psql --command='delete from a'
mutate sql | psql -c 'explain analyze insert into a values (1)'
mutate sql | psql -c "with x as (delete from a returning 1) select * from x"
mutate sql | psql -v ON_ERROR_STOP=1 -c 'select 1'
mutate sql | psql --csv -c 'select 1' -o out.csv
mutate sql | psql -c "select 'a b'; -- done"
read look | psql -c '\conninfo'
read look | psql -c '\dt public.*'
read look | psql -c '\l+'
read look | psql -c '\d+ users'
read list | psql -l
read help | psql --version
read help | psql --help
read help | psql -V
refuse sql | psql -f a.sql
refuse sql | psql
`

export const HELM_CASES = `
read list | helm list -A
read list | helm ls -n web -q
reveal status | helm status web
read history | helm history web --max 3
read history | helm hist web
reveal get values | helm get values web
reveal get manifest | helm get manifest web
reveal get all | helm -n web get all web
read get metadata | helm get metadata web
read show chart | helm show chart ./chart
read show values | helm inspect values ./chart
read search repo | helm search repo nginx
refuse search hub | helm search hub nginx
read repo list | helm repo list
refuse repo add | helm repo add a https://a.example
read repo update | helm repo update
read template | helm template web ./chart -f values.yaml
reveal template | helm template web ./chart --validate
reveal* template | helm template web ./chart --dry-run=server
read lint | helm lint ./chart
mutate install | helm install web ./chart
mutate install | helm install web bitnami/nginx --set a=b -n web
read* install | helm install web ./chart --dry-run
read* install | helm install web ./chart --dry-run=client
reveal* install | helm install web ./chart --dry-run=server
mutate install | helm install web ./chart --dry-run=none
mutate upgrade | helm upgrade --install web ./chart -f values.yaml --atomic --timeout 5m
mutate rollback | helm rollback web 2
mutate rollback | helm rollback web 2 --dry-run=none
mutate rollback | helm rollback web 2 --dry-run=false --server-side auto
mutate install | helm install web ./chart --wait=watcher --rollback-on-failure -l team=pay
mutate upgrade | helm upgrade web ./chart --server-side true --force-conflicts --color never
mutate uninstall | helm uninstall web --dry-run=false
read repo list | helm repo list --no-headers
read* rollback | helm rollback web 2 --dry-run
mutate uninstall | helm uninstall web
mutate uninstall | helm delete web
mutate test | helm test web
refuse pull | helm pull bitnami/nginx
refuse plugin install | helm plugin install x
refuse registry login | helm registry login x
refuse dependency update | helm dep update ./chart
refuse secrets | helm secrets view x
read version | helm version --short
read | helm
`

export const AMTOOL_CASES = `
read alert query | amtool alert
read alert query | amtool alert query alertname=a
read alert query | amtool alert alertname=a
read alert query | amtool -o json alert query
read alert query | amtool alert -s -i -r pay
read alert query | amtool alert query -su --output=json
mutate alert add | amtool alert add a=b
read silence query | amtool silence
read silence query | amtool silence query -q
read silence query | amtool silence query --created-by=ana --within=2h --expired
refuse | amtool silence query --createdBy=ana
read | amtool -h
mutate silence add | amtool silence add alertname=a -d 1h -c why
mutate silence expire | amtool silence expire 1234
mutate silence update | amtool silence update -d 2h 1234
mutate silence update | amtool silence update -q --comment=x 1234
mutate silence import | amtool silence import s.json
read config show | amtool config show
read config show | amtool config
read config routes show | amtool config routes
read config routes test | amtool config routes test a=b
read check-config | amtool check-config am.yml
read cluster show | amtool cluster
read template render | amtool template render --template.text=x
`

export const CURL_CASES = `
read GET | curl -s https://prom.example/api/v1/query?query=up
read GET | curl -sSf -G https://prom.example/api/v1/query --data-urlencode query=up
read HEAD | curl -I https://prom.example/
read GET | curl -o out.json https://prom.example/a
read GET | curl https://hooks.example/deploy/a
mutate POST | curl -d a=b https://hooks.example/deploy/a
mutate POST | curl --json @body.json https://hooks.example/deploy/a
mutate DELETE | curl -X DELETE https://hooks.example/deploy/a
mutate PUT | curl -T up.bin https://hooks.example/deploy/a
mutate POST | curl -X GET -d a=b https://hooks.example/deploy/a
refuse POST | curl -d a=b https://prom.example/a
refuse DELETE | curl -XDELETE https://prom.example/a
refuse GET | curl https://evil.example/
refuse GET | curl http://prom.example/
refuse GET | curl https://prom.example:8443/
refuse POST | curl -d a=b https://hooks.example/other
read help | curl --version
`

export const HOUSE_CASES = `
read compute instances list | gcloud compute instances list --format=json
mutate compute instances delete | gcloud compute instances delete list
mutate compute instances | gcloud compute instances
reveal auth print-access-token | gcloud auth print-access-token
reveal secrets versions access | gcloud secrets versions access latest --secret=a
reveal x auth print-access-token | gcloud --project x auth print-access-token
refuse auth login | gcloud auth login
refuse config set project | gcloud config set project a
refuse compute ssh a | gcloud compute ssh a
mutate vm list | az vm list
reveal account get-access-token | az account get-access-token
reveal keyvault secret show | az keyvault secret show --name a
refuse login | az login
reveal auth token | gh auth token
mutate pr list | gh pr list
mutate deploy web | shipit deploy web
read status | shipit status
reveal key show | shipit key show
`
