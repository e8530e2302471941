-- One row is a customer with all its attributes.
-- Params: seed, customers (integers); since, until (dates): the time that orders span.
-- Some attributes are empty, as in real records. A customer whose row is sent again
-- with a flaw is in the feed rightly as well.
with traits as (
    select *
    from customer_traits($seed, $customers, $since::date, $until::date)
),

placed as (
    select
        *,
        region < 7 as is_chinese,
        kind in ('person', 'employee', 'household_member') as is_person,
        kind in ('household', 'household_member') as is_at_home,
        chance(key, 30, 5000) as is_female,
        pick_early(
            key,
            31,
            ['private', 'state_owned', 'joint_stock', 'foreign', 'institution', 'other']
        ) as nature,
        chance(key, 33, 800) as is_government,
        chance(key, 34, 500) as is_association,
        case
            when kind = 'head_office'
                then pick(key, 35, ['large', 'large', 'medium'])
            else pick(key, 35, ['large', 'medium', 'medium', 'small', 'small', 'small'])
        end as size_class,
        draw_below(key, 36, 3)::integer as city_no,
        age_of(key) as age_years,
        joined_on
        + to_seconds(28800 + draw_below(key, 39, 50400)::bigint) as joined_at,
        case
            when chance(key, 40, 30)
                then pick(
                    key,
                    41,
                    ['duplicate', 'duplicate', 'not_a_date', 'not_in_list']
                )
        end as flaw
    from traits
),

named as (
    select
        *,
        pick_early(
            case when is_at_home then neighbourhood_key else key end,
            42,
            case
                when is_chinese
                    then [
                        '王', '李', '张', '刘', '陈', '杨', '黄', '赵', '吴', '周',
                        '徐', '孙', '马', '朱', '胡', '郭', '何', '林', '罗', '欧阳'
                    ]
                else [
                    'Smith', 'Müller', 'Jones', 'Taylor', 'García', 'Brown', 'Schmidt',
                    'Wilson', 'Evans', 'Dubois', 'Thomas', 'Roberts', 'Rossi', 'Walker',
                    'Wright', 'Andersson', 'Novák', 'O''Connor', 'Nowak', 'van den Berg'
                ]
            end
        ) as family_name,
        case
            when is_chinese and is_female
                then pick(
                    key,
                    44,
                    [
                        '芳', '娜', '敏', '静', '丽', '秀英', '晓燕', '雪梅', '思涵',
                        '欣怡', '雨桐', '佳琪'
                    ]
                )
            when is_chinese
                then pick(
                    key,
                    44,
                    [
                        '伟', '强', '磊', '军', '洋', '建国', '志强', '浩然', '子轩',
                        '俊杰', '宇航', '文博'
                    ]
                )
            when is_female
                then pick(
                    key,
                    44,
                    [
                        'Anna', 'Emma', 'Sophie', 'Laura', 'Chloé', 'Maria', 'Grace',
                        'Ingrid', 'Zoë', 'Lucía', 'Hannah', 'Olivia'
                    ]
                )
            else pick(
                key,
                44,
                [
                    'James', 'Thomas', 'Lukas', 'José', 'Oliver', 'Jan', 'Pierre',
                    'Henry', 'Björn', 'Marco', 'David', 'Noah'
                ]
            )
        end as given_name,
        pick(
            key,
            45,
            case
                when is_chinese
                    then ['华东', '新源', '长城', '锦程', '启明', '东方', '万和', '汇通']
                else [
                    'Northwind',
                    'Baltic',
                    'Harbour',
                    'Summit',
                    'Albion',
                    'Meridian',
                    'Lakeside',
                    'Crown'
                ]
            end
        ) as firm_name,
        draw_below(key, 46, 8)::integer as trade_no,
        (
            $until::date
            - to_years(age_years)
            - to_days(draw_below(key, 80, 365)::integer)
        )::date as born_on,
        case
            when is_organization
                then
                    10000.00::decimal(7, 2)
                    * (10 + draw_below(key, 77, 500)::smallint)
                    * case size_class
                        when 'large' then 100::tinyint
                        when 'medium' then 10::tinyint
                        else 1::tinyint
                    end
        end as capital_amount,
        -- From -10 to 39 per cent, small growth most often.
        least(draw_below(key, 81, 50), draw_below(key, 82, 50))::smallint - 10
            as growth_pct
    from placed
)

select
    customer_id,
    case
        when is_organization and is_chinese
            then
                firm_name
                || ['零售', '餐饮', '制造', '教育', '医疗', '物流', '建筑', '软件'][
                    trade_no + 1
                ]
                || case when is_government then '管理局' else '有限公司' end
        when is_organization
            then
                firm_name
                || ' '
                || [
                    'Retail',
                    'Catering',
                    'Manufacturing',
                    'Education',
                    'Health',
                    'Logistics',
                    'Construction',
                    'Software'
                ][trade_no + 1]
                || case when is_government then ' Office' else ' Ltd' end
        when kind = 'household' and is_chinese then family_name || '家'
        when kind = 'household' then family_name || ' family'
        when is_chinese then family_name || given_name
        else given_name || ' ' || family_name
    end as customer_name,
    case
        when kind = 'household' then 'household'
        when not is_organization then 'person'
        when is_government then 'government'
        when is_association then 'association'
        else 'organization'
    end as party_type,
    case
        when is_organization and is_government then 'government'
        when is_organization then nature
    end as org_nature,
    case when is_organization then size_class end as org_size,
    is_organization and size_class = 'large' and chance(key, 47, 2000)
        as is_economic_pillar,
    is_organization and chance(key, 48, 700) as is_reseller,
    chance(key, 49, 20) as is_internal,
    case
        when is_organization and trade_no = 7 and chance(key, 92, 4000)
            then 'telecom'
        when is_organization
            then [
                'retail',
                'catering',
                'manufacturing',
                'education',
                'health',
                'logistics',
                'construction',
                'software'
            ][trade_no + 1]
    end as industry,
    [
        '广东',
        '浙江',
        '上海',
        '北京',
        '四川',
        '湖北',
        '山东',
        'England',
        'Bayern',
        'Catalunya'
    ][region + 1] as region,
    [
        '广州', '深圳', '佛山',
        '杭州', '宁波', '温州',
        '浦东', '徐汇', '静安',
        '海淀', '朝阳', '丰台',
        '成都', '绵阳', '宜宾',
        '武汉', '宜昌', '襄阳',
        '济南', '青岛', '烟台',
        'London', 'Leeds', 'Bristol',
        'München', 'Nürnberg', 'Augsburg',
        'Barcelona', 'Girona', 'Tarragona'
    ][3 * region + city_no + 1] as city,
    case
        when not is_person or chance(key, 50, 1000) then null
        when is_female then 'female'
        else 'male'
    end as gender,
    case when is_person and not chance(key, 51, 2000) then born_on end as birth_date,
    case
        when is_person and not chance(key, 52, 4000)
            then pick(key, 53, ['school', 'college', 'bachelor', 'bachelor', 'master'])
    end as education,
    case
        when not is_person or chance(key, 54, 4000) then null
        when age_years < 20 then 'student'
        when age_years >= 65 then 'retired'
        else pick(
            key,
            55,
            ['teacher', 'engineer', 'nurse', 'clerk', 'driver', 'manager', 'student']
        )
    end as occupation,
    case
        when not is_person or chance(key, 83, 3000) then null
        when is_chinese then pick_early(key, 84, ['中等收入', '低收入', '高收入'])
        else pick_early(key, 84, ['middle', 'low', 'high'])
    end as income_class,
    case
        when is_person and chance(key, 56, 4000)
            then pick(
                key, 57, ['reading', 'sports', 'cooking', 'travel', 'music', 'garden']
            )
    end as hobby,
    -- Numbers and addresses that belong to nobody.
    case
        when chance(key, 58, 1000) then null
        when is_chinese
            then '100' || lpad(draw_below(key, 59, 100000000)::varchar, 8, '0')
        else '+44 1632 96' || lpad(draw_below(key, 59, 10000)::varchar, 4, '0')
    end as phone,
    case
        when not chance(key, 60, 2500)
            then 'c' || (1000 + customer_no) || '@example.com'
    end as email,
    case
        when kind = 'head_office' then 'group'
        when kind in ('branch', 'employee') then 'group_member'
        else 'individual'
    end as account_type,
    parent_customer_id,
    case when not is_prospect then joined_at end as registered_at,
    joined_at - to_days(draw_below(key, 61, 60)::integer) as first_contact_at,
    pick_early(
        key, 62, ['shop', 'web', 'app', 'referral', 'fair', 'advertisement']
    ) as source_channel,
    case
        when is_prospect then pick(key, 64, ['clear', 'potential', 'potential', 'none'])
        when chance(key, 65, 3000) then pick(key, 64, ['clear', 'potential'])
    end as need_level,
    case when is_prospect then not chance(key, 66, 2000) end as can_buy,
    is_prospect and chance(key, 67, 3000) as is_target,
    not is_prospect and chance(key, 68, 6500) as is_member,
    chance(key, 69, 150) as is_contact_blocked,
    case
        when not is_organization then null
        when size_class = 'large' then 150 + draw_below(key, 70, 200)
        when size_class = 'medium' then 40 + draw_below(key, 70, 120)
        else 1 + draw_below(key, 70, 60)
    end::integer as seat_count,
    case
        when not is_organization then null
        when chance(key, 71, 1000) then '400_800'
        else 'standard'
    end as plan_edition,
    case
        when is_organization and chance(key, 71, 1000)
            then pick(key, 72, ['silver', 'silver', 'gold'])
    end as plan_package,
    case
        when not is_prospect and chance(key, 73, 4000)
            then pick_early(key, 74, ['good', 'fair', 'poor'])
    end as credit_status,
    is_organization and size_class = 'large' and chance(key, 76, 1500) as is_listed,
    capital_amount::decimal(18, 2) as registered_capital_amount,
    (capital_amount * (1 + draw_below(key, 78, 5)::tinyint))::decimal(18, 2)
        as total_assets_amount,
    (capital_amount * (1 + draw_below(key, 79, 9)::tinyint))::decimal(18, 2)
        as annual_revenue_amount,
    -- What is known as a number is not always known as a word, and the other way round.
    case
        when is_organization and not chance(key, 86, 3000)
            then (growth_pct * 0.01::decimal(3, 2))::decimal(18, 6)
    end as annual_growth_ratio,
    case
        when not is_organization or chance(key, 87, 2000) then null
        when growth_pct >= 20 then 'fast'
        when growth_pct >= 5 then 'medium'
        else 'slow'
    end as growth_pace,
    -- Organizations have an account manager, and so have the persons who buy most.
    case
        when not is_prospect and (is_organization or pace >= 2000)
            then manager_id_of(draw_below(key, 88, n_managers($customers)))
        when is_prospect and is_organization and chance(key, 89, 5000)
            then manager_id_of(draw_below(key, 88, n_managers($customers)))
    end as account_manager_id,
    flaw,
    case flaw
        when 'not_a_date' then 'registered_at'
        when 'not_in_list' then 'party_type'
    end as flaw_column,
    case flaw
        when 'not_a_date' then strftime(joined_at, '%Y-13-%d %H:%M:%S')
        when 'not_in_list' then 'alien'
    end as flaw_text
from named
